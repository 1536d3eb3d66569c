"""Stock levels as Amazon states them, and the alerts that their changes ask for. Nothing here changes stock."""
