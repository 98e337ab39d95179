"""What a printer says: parsed replies, faults, firmware dialects."""
