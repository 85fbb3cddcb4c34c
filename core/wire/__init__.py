"""What both processes share: messages, the settings table, the frame ring, the error tree. Standard library only.

Used in OBS's interpreter (Python 3.8 and later) and in the worker's; imports only relatively, because OBS's side loads
this package under a private name.
"""
