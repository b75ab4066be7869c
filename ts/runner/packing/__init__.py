"""Packs networks in one step: those of torchvision and timm by name, and modules at hand.

networks, timm_library   a network by name, with its weights and all that is known of how it is used
recognition, forms       what becomes of a module at hand: a name, a state dict, a program
settings, labels, files  the archive's other files
proof                    the network itself and the archive, asked the same
modules, command         `pack`, and torch-model-archiver --architecture
unpacked                 a network by name without packing it
"""
