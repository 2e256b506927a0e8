"""[eventlistener:x]: programs that read events on stdin and answer on stdout, by supervisord's protocol.

`events` names and words them, `dialogue` is the protocol of one listener, `pool` the buffer of one section, `part`
joins them to the programs they tell of.
"""
