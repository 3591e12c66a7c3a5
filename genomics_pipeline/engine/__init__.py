"""The interpreter of state machine documents (Amazon States Language) on this machine; it knows no genomics."""
