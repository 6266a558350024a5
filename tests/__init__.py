"""The tests are a package, so that no package of this name that something installs takes their place."""
