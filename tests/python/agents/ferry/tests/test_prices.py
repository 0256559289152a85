import a_module_that_only_a_developer_has

from functions.prices import price_of


def test_children_are_cheaper():
    assert price_of("island", adults=0, children=1) < price_of("island", adults=1, children=0)
