"""What people add to interactions: tags, notes, links, owner, summary; originals stay."""
