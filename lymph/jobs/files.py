"""The files that every job's folder may hold; what a job makes is named by its own room."""

CONFIG = "config.json"
STATUS = "status.json"
LOG = "log.txt"
# Somebody asked the job to stop.
STOP = "stop"
# Makes room on a full disk for the last word.
RESERVE = "reserve"
# When the process was last alive, for those who cannot see it from another machine.
HEARTBEAT = "heartbeat.json"
# Held while a job is started: of many who try at once only one does.
START_LOCK = "start.lock"
