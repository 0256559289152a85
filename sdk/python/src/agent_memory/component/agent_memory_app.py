"""What the component is made of: finds the SDK beside itself, and hands over.

This file is copied to the top of the folder that an agent is built in, with the SDK in ``sdk`` beside it.
"""

import os
import sys

_folder = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(_folder, "sdk"))

from agent_memory.component.app import exports

Functions = exports(_folder)
