"""Department, aisle and product names: our own words, in the awkward shapes that real ones have.

Commas, double quotes, apostrophes, ampersands, percent signs and letters outside ASCII all
occur, because readers of these files must cope with them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# department -> aisle -> nouns for the products in it
AISLES: dict[str, dict[str, tuple[str, ...]]] = {
    "produce": {
        "fresh fruits": ("Bananas", "Strawberries", "Limes", "Gala Apples", "Raspberries", "Pears"),
        "fresh vegetables": ("Baby Carrots", "Yellow Onions", "Zucchini", "Cucumber", "Broccoli"),
        "packaged vegetables and fruits": ("Baby Spinach", "Grape Tomatoes", "Baby Arugula"),
        "fresh herbs": ("Cilantro", "Italian Parsley", "Basil", "Ginger Root"),
        "cut fruit and salads": ("Fruit Cup", "Chopped Salad Kit", "Apple Slices"),
    },
    "dairy eggs": {
        "milk": ("Whole Milk", "2% Reduced Fat Milk", "Half & Half", "Lactose Free Milk"),
        "yogurt": ("Greek Yogurt", "Skyr", "Whole Milk Yogurt", "Kefir"),
        "eggs": ("Large Grade A Eggs", "Brown Eggs", "Liquid Egg Whites"),
        "cheese blocks and slices": ("Sharp Cheddar", "Gruyère Slices", "Monterey Jack"),
        "cheese snacks": ("String Cheese", "Cheese Cubes", "Mini Brie Wheels"),
        "butter": ("Unsalted Butter", "Cultured Butter", "Ghee"),
        "cream": ("Heavy Whipping Cream", "Sour Cream", "Crème Fraîche"),
        "plant milks": ("Almondmilk", "Oat Drink", "Soy Beverage", "Coconutmilk"),
        "tofu and tempeh": ("Firm Tofu", "Tempeh", "Seitan Strips"),
        "refrigerated desserts": ("Rice Pudding", "Crème Brûlée", "Custard Cups"),
    },
    "snacks": {
        "chips and pretzels": ("Potato Chips", "Tortilla Chips", "Pretzel Twists", "Veggie Straws"),
        "crackers": ("Wheat Crackers", "Rice Thins", "Seeded Crisps"),
        "cookies and cakes": ("Chocolate Chip Cookies", "Shortbread", "Madeleines", "Brownies"),
        "candy and chocolate": ("Milk Chocolate Bar", "Gummies", "Caramels", "Peppermints"),
        "nuts and trail mix": ("Roasted Almonds", "Trail Mix", "Cashews", "Pistachios"),
        "popcorn and jerky": ("Popcorn", "Beef Jerky", "Kettle Corn"),
        "granola and energy bars": ("Granola Bar", "Nut Bar", "Protein Bar", "Fruit & Seed Bar"),
        "fruit snacks": ("Fruit Leather", "Apple Rings", "Fruit Twists"),
        "rice cakes and puffs": ("Rice Cakes", "Corn Puffs", "Lentil Puffs"),
        "mints and gum": ("Sugar Free Gum", "Breath Mints"),
    },
    "beverages": {
        "sparkling water": ("Sparkling Water", "Seltzer", "Mineral Water"),
        "still water": ("Spring Water", "Alkaline Water", "Coconut Water"),
        "coffee": ("Ground Coffee", "Coffee Pods", "Whole Bean Coffee", "Cold Brew"),
        "tea": ("Green Tea", "Rooibos Tea", "Chai Concentrate", "Iced Tea"),
        "juice": ("Orange Juice", "Lemonade", "Apple Cider", "Tomato Juice"),
        "soda": ("Cola", "Ginger Ale", "Root Beer", "Cane Soda"),
        "sports and energy drinks": ("Energy Drink", "Electrolyte Drink"),
        "kombucha and wellness": ("Kombucha", "Ginger Shot"),
        "cocoa and drink mixes": ("Hot Cocoa Mix", "Drink Mix", "Malted Milk Powder"),
    },
    "frozen": {
        "ice cream": ("Ice Cream", "Gelato", "Sorbet", "Frozen Yogurt"),
        "ice pops": ("Fruit Pops", "Fudge Bars", "Ice Cream Sandwiches"),
        "frozen meals": ("Enchiladas", "Mac & Cheese", "Chicken Tikka Masala", "Burrito Bowl"),
        "frozen pizza": ("Thin Crust Pizza", "Pizza Snacks", "Flatbread"),
        "frozen vegetables": ("Frozen Peas", "Cauliflower Rice", "Sweet Corn", "Edamame"),
        "frozen fruit": ("Frozen Mango Chunks", "Frozen Blueberries", "Açaí Packets"),
        "frozen breakfast": ("Waffles", "Breakfast Sandwich", "Hash Browns"),
        "frozen appetizers": ("Potstickers", "Mozzarella Sticks", "Spring Rolls"),
        "frozen meat and seafood": ("Fish Sticks", "Turkey Burgers", "Shrimp"),
        "frozen bread and dough": ("Pie Shells", "Puff Pastry", "Garlic Bread"),
        "frozen vegetarian": ("Veggie Burgers", "Meatless Crumbles"),
    },
    "pantry": {
        "baking ingredients": ("All Purpose Flour", "Baking Soda", "Chocolate Chips", "Sugar"),
        "baking mixes": ("Pancake Mix", "Cake Mix", "Cornbread Mix"),
        "spices and seasonings": ("Ground Cumin", "Sea Salt", "Herbes de Provence", "Paprika"),
        "oils and vinegars": ("Extra Virgin Olive Oil", "Balsamic Vinegar", "Avocado Oil"),
        "condiments": ("Ketchup", "Dijon Mustard", "Mayonnaise", "Hot Sauce"),
        "dressings and marinades": ("Caesar Dressing", "Teriyaki Marinade", "Vinaigrette"),
        "spreads": ("Peanut Butter", "Almond Butter", "Strawberry Preserves"),
        "honey and syrups": ("Wildflower Honey", "Maple Syrup", "Agave Nectar"),
        "pickles and olives": ("Dill Pickles", "Kalamata Olives", "Capers"),
        "preserved dips": ("Salsa", "Bean Dip", "Tapenade"),
        "doughs and crusts": ("Graham Cracker Crust", "Dry Yeast"),
    },
    "bakery": {
        "bread": ("Sourdough Loaf", "Whole Wheat Bread", "Baguette", "Rye Bread"),
        "buns and rolls": ("Hamburger Buns", "Brioche Rolls", "Hot Dog Buns"),
        "tortillas and flat bread": ("Corn Tortillas", "Pita", "Naan"),
        "breakfast bakery": ("Bagels", "English Muffins", "Croissants"),
        "bakery desserts": ("Angel Food Cake", "Apple Pie", "Macarons"),
    },
    "canned goods": {
        "canned beans": ("Black Beans", "Garbanzo Beans", "Refried Beans"),
        "canned vegetables": ("Diced Tomatoes", "Tomato Paste", "Artichoke Hearts"),
        "canned fruit": ("Applesauce", "Mandarin Oranges", "Peach Halves"),
        "canned fish and meat": ("Albacore Tuna", "Sardines", "Canned Chicken"),
        "soup and broth": ("Chicken Broth", "Lentil Soup", "Tomato Bisque"),
    },
    "deli": {
        "lunch meat": ("Oven Roasted Turkey", "Black Forest Ham", "Salami"),
        "prepared meals": ("Rotisserie Chicken", "Sushi Roll", "Quinoa Bowl"),
        "fresh dips": ("Hummus", "Guacamole", "Tzatziki"),
        "prepared soups and salads": ("Potato Salad", "Chicken Noodle Soup", "Coleslaw"),
        "deli vegetarian": ("Falafel", "Stuffed Grape Leaves"),
    },
    "dry goods pasta": {
        "dry pasta": ("Spaghetti", "Penne Rigate", "Farfalle", "Macaroni"),
        "fresh pasta": ("Cheese Ravioli", "Gnocchi", "Fettuccine"),
        "pasta sauce": ("Marinara Sauce", "Alfredo Sauce", "Pesto"),
        "grains and rice": ("Basmati Rice", "Quinoa", "Couscous", "Brown Rice"),
        "boxed meals": ("Macaroni & Cheese", "Rice Pilaf Mix", "Taco Kit"),
    },
    "household": {
        "paper goods": ("Paper Towels", "Bath Tissue", "Facial Tissues", "Napkins"),
        "laundry": ("Laundry Detergent", "Dryer Sheets", "Stain Remover"),
        "dish soap": ("Dish Soap", "Dishwasher Packs", "Rinse Aid"),
        "cleaning": ("All Purpose Cleaner", "Glass Cleaner", "Disinfecting Wipes"),
        "trash bags and liners": ("Kitchen Trash Bags", "Lawn Bags"),
        "food storage": ("Sandwich Bags", "Aluminum Foil", "Parchment Paper"),
        "plates and cups": ("Paper Plates", "Plastic Cups", "Compostable Forks"),
        "kitchen supplies": ("Wooden Spoon", "Cake Pan", "Measuring Cups"),
        "air fresheners and candles": ("Scented Candle", "Air Freshener"),
        "home and office": ("Light Bulbs", "AA Batteries", "Packing Tape", "Extension Cord"),
    },
    "breakfast": {
        "cereal": ("Corn Flakes", "Honey Oat Cereal", "Bran Flakes", "Rice Squares"),
        "granola": ("Granola", "Muesli"),
        "hot cereal": ("Old Fashioned Oats", "Instant Oatmeal", "Cream of Rice"),
        "breakfast bars": ("Oat Breakfast Bar", "Soft Baked Bar"),
        "toaster pastries": ("Toaster Pastries", "Breakfast Biscuits"),
    },
    "meat seafood": {
        "poultry": ("Chicken Breasts", "Chicken Thighs", "Ground Turkey"),
        "beef and pork": ("Ground Beef", "Pork Chops", "Sirloin Steak"),
        "bacon and sausage": ("Uncured Bacon", "Andouille Sausage", "Bratwurst"),
        "seafood counter": ("Atlantic Salmon Fillet", "Sea Scallops", "Cod Loin"),
        "packaged seafood": ("Smoked Salmon", "Crab Cakes"),
    },
    "personal care": {
        "hair care": ("Shampoo", "Conditioner", "Styling Crème", "Hair Color"),
        "soap": ("Bar Soap", "Hand Soap", "Body Wash"),
        "oral hygiene": ("Toothpaste", "Toothbrush", "Mouthwash", "Dental Floss"),
        "skin care": ("Moisturizer", "Face Wash", "Lip Balm", "Sunscreen SPF 30"),
        "deodorants": ("Deodorant", "Antiperspirant Stick"),
        "shaving": ("Razor Cartridges", "Shave Gel"),
        "vitamins": ("Vitamin D3 Softgels", "Multivitamin", "Fish Oil", "Probiotic"),
        "protein powders": ("Whey Protein", "Pea Protein", "Meal Shake"),
        "cold and allergy": ("Cough Drops", "Allergy Tablets", "Nasal Spray"),
        "pain relief": ("Ibuprofen Tablets", "Muscle Rub"),
        "first aid": ("Adhesive Bandages", "Hydrogen Peroxide"),
        "digestion": ("Antacid Chews", "Fiber Supplement"),
        "eye and ear care": ("Contact Solution", "Eye Drops"),
        "feminine care": ("Ultra Thin Pads", "Tampons"),
        "beauty": ("Mascara", "Nail Polish", "Cotton Rounds"),
    },
    "babies": {
        "baby food": ("Baby Food Pouch", "Toddler Puffs", "Baby Cereal"),
        "infant formula": ("Infant Formula", "Toddler Drink"),
        "diapers and wipes": ("Diapers", "Baby Wipes", "Training Pants"),
        "baby bath": ("Baby Shampoo", "Baby Lotion"),
        "baby accessories": ("Pacifier", "Sippy Cup"),
    },
    "international": {
        "asian foods": ("Soy Sauce", "Rice Noodles", "Curry Paste", "Nori Sheets"),
        "latino foods": ("Jalapeño Slices", "Mole Sauce", "Tostadas", "Piñón Blend"),
        "indian foods": ("Simmer Sauce", "Papadums", "Mango Chutney"),
        "kosher foods": ("Matzo", "Gefilte Fish"),
        "european foods": ("Spätzle", "Lingonberry Jam", "Piri-Piri Sauce"),
    },
    "alcohol": {
        "red wine": ("Cabernet Sauvignon", "Pinot Noir", "Côtes du Rhône"),
        "white wine": ("Sauvignon Blanc", "Chardonnay", "Grüner Veltliner"),
        "sparkling wine and cider": ("Brut Rosé", "Hard Cider", "Prosecco"),
        "beer": ("India Pale Ale", "Pilsner", "Kölsch", "Stout"),
        "spirits": ("Vodka", "Añejo Tequila", "Bourbon"),
    },
    "pets": {
        "dog food": ("Dog Food", "Dog Treats", "Dental Chews"),
        "cat food": ("Cat Food", "Cat Treats", "Pâté for Cats"),
        "small pets and birds": ("Timothy Hay", "Wild Bird Seed"),
        "pet supplies": ("Cat Litter", "Waste Bags"),
    },
    "missing": {"missing": ("Assorted Item", "Store Special", "Seasonal Item")},
    "other": {"other": ("Gift Card Holder", "Greeting Card", "Birthday Balloon", "Potting Mix")},
    "bulk": {
        "bulk grains": ("Bulk Rolled Oats", "Bulk Jasmine Rice", "Bulk Red Lentils"),
        "bulk nuts and dried fruit": ("Bulk Raw Walnuts", "Bulk Medjool Dates"),
    },
}

_BRANDS = (
    "Aunt Odette's", "Bär & Fox", "Blue Heron", "Café Lumière", "Cedar & Salt", "Clover Hill",
    "Copper Kettle", "D'Amico", "Daybreak", "Dr. Finch's", "El Jardín", "Farmer Jo's",
    "Field & Vine", "Five Gates", "Frøya", "Golden Acre", "Granny Wren's", "Green Lantern",
    "Half Moon", "Harbor Street", "Häuser", "Hill & Dale", "Honest Jane", "Juniper",
    "Kite & Key", "La Niña Bonita", "Lakeshore", "Little Otter", "Lucky Pear", "Maison Brûlée",
    "Marigold", "Meadow Lane", "Mill No. 9", "Moose & Maple", "Mr. O'Dell's", "North Fork",
    "Nana's", "Old Ferry", "Orchard Row", "Osteria Più", "Paper Crane", "Pepper & Plum",
    "Prairie Sun", "Red Barn", "River Bend", "Rosemary's", "São Bento", "Silver Pine",
    "Simply So", "Smörgås", "Stone Bridge", "Sunday Best", "Tall Grass", "Three Sisters'",
    "Tía Rosa", "Twin Elms", "Under the Oak", "Vale & Sons", "Wild Thistle", "Yellow Door",
)  # fmt: skip
_QUALITIES = (
    "", "", "Organic", "Natural", "Original", "Family Size", "Classic", "Premium", "Small Batch",
    "No Salt Added", "100% Natural", "Gluten Free", "Light", "Non-GMO", "Value Pack", "Everyday",
    "Plain & Simple", '"The Big One"', "Extra", "Farmers' Choice", "Limited Edition",
)  # fmt: skip
_FLAVOURS = (
    "", "", "Lemon", "Vanilla", "Honey", "Blueberry", "Crème", "Wild Cherry", "Apple Cinnamon",
    "Chocolate", "Sea Salt", "Coconut", "Peach", "Mango", "Lavender", "Peppermint", "Ginger",
    "Green Tea", "Açaí", "Jalapeño", "Roasted Garlic", "Rosemary", "Smoky", "Spicy", "Herb",
    "Citrus", "Almond", "Maple", "Pumpkin", "Berry Blend", "Strawberry & Cream", "Original",
)  # fmt: skip
# Inches with a backslash, as in 120 names of the public products.csv.
_ENDINGS = (
    "", "", "", "", "", ", 12 oz", ", 2 Pack", ", Large", ", 16 oz Bag", ", 6 Count", ", Mini",
    ' 6\\"', ", 1.5 L", " (Bag)", ", Sliced, Resealable", " & More", " with Omega-3", " - Low Fat",
)  # fmt: skip
_SIMPLE_FORMS = ("{}", "Organic {}", "Bag of {}", "Organic {}, Family Size", "Large {}")


def product_names(nouns: list[tuple[str, ...]], rng: np.random.Generator) -> list[str]:
    """One unique name per product. `nouns[i]` are the nouns that product i may be called by;
    products that come earlier (the popular ones) get the plainer names."""
    taken: set[str] = set()
    plain: dict[tuple[str, ...], list[str]] = {}
    names: list[str] = []
    for choices in nouns:
        if choices not in plain:
            plain[choices] = [form.format(noun) for form in _SIMPLE_FORMS for noun in choices]
        queue = plain[choices]
        name = queue.pop(0) if queue else ""
        while not name or name in taken:
            name = _compound_name(choices, rng.random(5))
        taken.add(name)
        names.append(name)
    return names


def _compound_name(nouns: tuple[str, ...], draws: NDArray[np.float64]) -> str:
    lists = (_BRANDS, _QUALITIES, _FLAVOURS, nouns, _ENDINGS)
    *words, ending = (
        words[int(draw * len(words))] for words, draw in zip(lists, draws, strict=True)
    )
    return " ".join(word for word in words if word) + ending
