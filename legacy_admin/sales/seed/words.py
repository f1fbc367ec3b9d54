"""What the demonstration data is made of. Misspellings, accents and stray blanks are as found in the real one."""

SURNAMES = """Abbott Adler Åström Baker Barnes Beaulieu Becker Bennett Boyd Brandt Brennan Castañeda Chandler Conklin
Côté Crowley Dahl Delgado Dietz Dubois Eberhardt Ellison Eriksson Fairchild Fischer Flanagan Fröhlich Gagné Gallagher
Garrison Gephart Goodwin Grüber Hagen Harlow Hendricks Hershey Hoffman Ibáñez Ingram Jarvis Jørgensen Keller Kessler
Kirkwood Köhler Lambert Landis Lefèvre Lindqvist Lockhart MacLeod Márquez McAllister Mercer Moreau Müller Muñoz Nagle
Nyberg O'Brien O'Malley Ortega Osborne Pelletier Peña Petersen Pruitt Quigley Ramírez Reinhart Rossi Rowland Sandoval
Schäfer Schneider Shaw Søndergaard Stauffer Stoltzfus Sullivan Tanner Tremblay Underwood Vance Vogel Wagner Weaver
Whitaker Winslow Yoder Zeller Zimmerman Zúñiga""".split()

TRADES = [
    "Hardware", "Plumbing & Heating", "Electric", "Industrial Supply", "Construction", "Farm & Home", "Marine",
    "Mechanical", "Builders", "Tool Rental", "Maintenance", "Contracting", "Machine Works", "Roofing", "Fabrication",
    "Property Services", "Cabinetry", "Paint & Glass", "HVAC", "Millwork",
]  # fmt: skip
FORMS = ["Inc.", "LLC", "Co.", "& Sons", "", "", "Ltd", "Corp", "Bros.", "of PA"]

ODD_NAMES = [
    'The "Works" Shop', "Smith & Sons <retail>", "Łódź Tools", "Café Zoë Catering", "Nuñez; Nuñez Co.", "A|B Joinery",
    "Québec Acier Ltée", "Bäckerei Schröder", "100% Clean Janitorial", "DO NOT USE - Harlow old", "Ñandú Imports",
    "Fa. Weiß GmbH & Co. KG", "Škoda Metal",
]  # fmt: skip

CITIES = [
    ("US", "Harrisburg", "17101"), ("US", "Lancaster", "17602"), ("US", "York", "17401"), ("US", "Reading", "19601"),
    ("US", "Allentown", "18101"), ("US", "Scranton", "18503"), ("US", "Erie", "16501"), ("US", "Altoona", "16601"),
    ("US", "Baltimore", "21201"), ("US", "Hagerstown", "21740"), ("US", "Trenton", "08608"), ("US", "Newark", "07102"),
    ("US", "Syracuse", "13202"), ("US", "Buffalo", "14202"), ("US", "Wheeling", "26003"), ("US", "Akron", "44308"),
    ("US", "WILKES BARRE", "18701"), ("US", "St. Mary's", "15857"), ("US", "King of Prussia", "19406"),
]  # fmt: skip
ABROAD = [
    ("CA", "Montréal", "H2Y 1C6"), ("CA", "Québec", "G1R 4P5"), ("CA", "Hamilton", "L8P 1A1"),
    ("CA", "Trois-Rivières", "G9A 5H7"), ("MX", "Monterrey", "64000"), ("MX", "San Luis Potosí", "78000"),
    ("DE", "Köln", "50667"), ("SE", "Malmö", "211 20"), ("FR", "Orléans", "45000"), ("DK", "Ærøskøbing", "5970"),
]  # fmt: skip
STREETS = ["Market St", "Cameron St", "Front St", "Derry St", "Paxton Rd", "Mill Ln", "Route 22", "Industrial Pkwy"]

CATEGORIES = {
    "FAST": "Fasteners", "TOOL": "Hand tools", "PIPE": "Pipe & fittings", "ELEC": "Electrical", "SAFE": "Safety",
    "PNT": "Paint & coatings", "ADH": "Adhesives", "JAN": "Janitorial", "HVAC": "Heating & air",
}  # fmt: skip

ITEMS = {
    "FAST": ("BX", ["Hex bolt", "Carriage bolt", "Lag screw", "Wood screw", "Flat washer", "Lock nut", "Anchor"]),
    "TOOL": ("EA", ["Claw hammer", "Fräser bit set", "Pipe wrench", "Hacksaw", "Level", "Utility knife", "Pliers"]),
    "PIPE": ("EA", ["Elbow 90°", "Tee", "Coupling", "Ball valve", "Copper pipe", "PVC pipe", "Hose clamp"]),
    "ELEC": ("EA", ["Lumière LED panel", "Wire nut", "Breaker", "Romex cable", "Outlet", "Switch plate", "Conduit"]),
    "SAFE": ("PR", ["Glove; nitrile", "Goggles", "Hard hat", "Ear muffs", "Vest", "Respirator", "Señal de piso"]),
    "PNT": ("GAL", ["Enamel", "Primer", "Thinner", "Roller cover", "Brush", "Crème sealer", "Masking tape"]),
    "ADH": ("EA", ["Epoxy", "Threadlocker™", "Wood glue", "Caulk", "Spray adhesive", "Contact cement", "Grout"]),
    "JAN": ("CS", ["Mop head", "Degreaser", "Trash liner", "Paper towel", "Push broom", "Bleach", "Hand soap"]),
    "HVAC": ("EA", ["Air filter", "Thermostat", "Duct tape", "Fan belt", "Damper", "Condenser coil", "Register"]),
}
SIZES = ['1/4"', '3/8"', '1/2" x 2"', '3/4"', '1"', "6 ft", "10 mm", "12 mm", "M8 x 40", "size L", "No. 10", "50/60 Hz"]
MATERIALS = ["zinc", "brass", "stainless", "galvanized", "black", "heavy duty", "economy", "commercial", "red", "blue"]

REPS = [
    ("RK", "Ray Kessler", "Central PA"), ("DM", "Dale Moore", "Maryland"), ("JT", "Joan Tanner", "New Jersey"),
    ("BS", "Bill Stauffer", "Western PA"), ("HOUS", "House account", ""), ("XX", "left 2012", ""),
]  # fmt: skip
TERMS = [("N30", "Net 30 days", 30), ("N15", "Net 15 days", 15), ("N60", "Net 60 days", 60), ("COD", "Cash", 0)]
WAREHOUSES = [("HBG", "Main warehouse", "Harrisburg"), ("YRK", "York annex", "York"), ("TRK", "On the truck", "")]
HOLIDAYS = [(1, 1, "New Year"), (7, 4, "Independence Day"), (11, 27, "Thanksgiving"), (12, 25, "Christmas")]

# code, name, price list, active, share of the orders in percent, contact
PARTNERS = [
    ("ACME", "Acme Industrial Group", "P1", "Y", 22, "edi@acme.example"),
    ("BOLT", "Bolt & Nut Direct", "P2", "Y", 18, "IT@boltdirect.example"),
    ("CRANE", "Crane Équipement Ltée", "CRN", "Y", 14, "support@crane.example"),
    ("DELTA", "Delta Facility Services", "P2", "Y", 12, "ops@delta-fs.example"),
    ("EAGLE", "Eagle Hardware Coop", "STD", "Y", 3, "Coop@Eagle.example"),
    ("FORGE", "Forge Valley Tools", "STD", "Y", 2, ""),
    ("GRANT", "Grant Brothers (closed)", "STD", "N", 1, ""),
    ("HELIX", "Helix Maintenance", "P1", "Y", 1, "helix@helix.example"),
]

NOTES = [
    "Call before delivery", "gate code 4471", "Leave at dock 3\nafter 4pm", "Attn: José", "no substitutions!!",
    "Tax exempt - cert. on file", "PARTIAL OK", "Lieferung bitte an Tor 2, Hr. Müller", "see e-mail from 10/12",
]  # fmt: skip
CARRIERS = [None, None, "", "UPS", "UPS", "UPS ", "FEDEX", "TRUCK", "TRUCK", "PICKUP", "ups ground"]
CLERKS = ["clerk", "rkessler", "dmoore", "jtanner", "IMPORT"]
