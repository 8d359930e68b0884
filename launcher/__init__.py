"""What ``up`` does: the embedded broker, ports, and the supervision of every part of the service."""
