"""Taking over a changed configuration: `diff` says what differs, `changeover` carries it out, `verbs` are its API.

Theory.  Two ways to read the file again.  SIGHUP and the verb `reload` are supervisord's: stop everything, read, start
everything.  `update` touches only what changed, process by process: a process whose change can be taken over while it
runs is left running, the others are stopped, given their new definition and started again, and what did not change
does not notice.  Either way a file with an error changes nothing at all.
"""
