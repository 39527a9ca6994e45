"""What is wrong with a folder of goods, before a recipe is built from it."""
