"""The command line: `crdtqueue serve`, and the commands for a running peer."""
