"""The command line, ``sim2real``. It is light: a command imports what it needs when it runs."""
