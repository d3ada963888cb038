"""The routes, one noun a module. Each makes its part of the application from the engine that it is given."""
