"""Everything one actor says to another, by area. Facts are past participles, requests imperatives; all are immutable values.

Which lane a message travels on is said where it is sent; liquidations and alerts are always urgent.
"""
