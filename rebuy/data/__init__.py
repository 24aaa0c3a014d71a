"""The raw data: made up in the shape of Instacart 2017, measured, and put into the lake."""
