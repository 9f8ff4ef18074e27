"""The world outside: store, keys, policies engine, files, clocks. Each implements a port of `gateway.domain.ports`."""
