"""The command line: `crdtqueue serve`, and what asks a running peer."""
