"""Sample images: kinds that are drawn, and crops of photographs."""
