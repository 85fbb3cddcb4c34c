"""Where networks' files come from: what there is, fetching and importing it, its licences, and what is here already.

Standard library only. Nothing is fetched unless the user asks for it.
"""
