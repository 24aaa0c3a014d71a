"""Services whose records are all there is to them: moto keeps them, nothing has to run."""
