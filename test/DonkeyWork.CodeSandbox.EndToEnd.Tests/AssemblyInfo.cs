// Real sandboxes on a small machine: one class at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
