"""Running a spec in a child process: the child, the handle its parent holds, and a local sweep over several children."""
