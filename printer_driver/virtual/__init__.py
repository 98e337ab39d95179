"""The virtual printer: firmware, planner, heaters, faults, and the port that it answers on."""
