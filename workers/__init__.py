"""The later process: the queue, the relay of the outbox, sweeps, messages."""
