"""The operators' command line. `app` lists the commands, one module holds each, `command` runs it.

A command is a function that takes a Session and its own options, and returns a Result. It prints nothing itself, so
that every command has the same options, the same exit codes and `--json`.
"""
