"""Pictures: sheets of images, panels of figures."""
