"""The drawn kinds of sample images and the crops of photographs."""
