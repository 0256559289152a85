from functions.models import Vehicle

FARES = {"island": (1250, 600), "mainland": (1250, 600), "skerries": (2100, 1050)}
VEHICLES = {Vehicle.NONE: 0, Vehicle.BICYCLE: 300, Vehicle.CAR: 2800, Vehicle.VAN: 4100}


def price_of(route, adults=1, children=0, vehicle=Vehicle.NONE):
    """The price in pence."""
    adult, child = FARES[route]
    return adult * adults + child * children + VEHICLES[Vehicle(vehicle)]


def spoken(pence):
    pounds, rest = divmod(pence, 100)
    return f"{pounds} pounds {rest:02d}" if rest else f"{pounds} pounds"
