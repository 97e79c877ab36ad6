"""调度: the operating system of a telecom operator's business."""
