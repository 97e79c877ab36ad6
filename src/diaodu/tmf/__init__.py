"""开放接口: the TM Forum REST guidelines (TMF630) once, for the resources of all rooms; event subscriptions."""
