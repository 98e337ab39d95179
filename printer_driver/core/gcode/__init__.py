"""G-code: the lines of a file, the kinds of commands, and the machine state behind them."""
