"""How each paper trained its method: recipes, data, callbacks. `python -m trainers.<method>`."""
