"""A server that speaks TensorFlow Serving's protocol, for SavedModels, in one Python process."""
