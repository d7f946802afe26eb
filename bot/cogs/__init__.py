"""Commands and listeners: each translates, calls one service, and presents the result."""
