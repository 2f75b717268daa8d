"""Look into ZIP, tar and compressed files within limits; writes nothing but nameless spools."""
