"""Settings that live in libraries and in the process: one library a module, each with its look and its way back."""
