"""One way to run what takes longer than a click: a folder, a place in the queue, a process.

Training, the leak meter and lessons each bring only their work. ``status`` says where a job
stands, ``files`` names what its folder holds, ``queue`` says whose turn it is, ``start`` begins a
job, ``worker`` is the process. Nothing here imports pandas or torch: a process that waits is small.
"""
