"""The `.gjob` archive of Continuous Print."""
