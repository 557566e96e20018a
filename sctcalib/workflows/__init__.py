"""One module per part: reads its inputs, calls the pure functions, writes its outputs."""
