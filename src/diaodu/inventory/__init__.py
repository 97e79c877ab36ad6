"""资源与产品库: addresses and coverage, products, services, resources, requests to an area (TMF637, 638, 639, 687)."""
