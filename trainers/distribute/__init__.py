"""Where a run is computed: devices, replicas, workers."""
