"""Steps on Lambda on this machine: in processes, in containers, or through the API of an emulator."""
