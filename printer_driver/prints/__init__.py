"""The files and journals of prints on this computer."""
