"""Everything that touches the world: storage, the runtime over it, the keeper, the stop lane."""
