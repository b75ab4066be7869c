"""Looks around in its worker: the folder, files beside it, modules of the archive, the environment."""

import json
import os
import sys

from ts.torch_handler.base_handler import BaseHandler


class Surroundings(BaseHandler):
    def initialize(self, context):
        import helper_of_environment

        self.helper = helper_of_environment
        self.folder = context.system_properties["model_dir"]
        self.settings = self.helper.load("settings.json")
        self.initialized = True

    def handle(self, data, context):
        import late_helper

        with open("settings.json") as file:
            relative = json.load(file)
        return [
            {
                "cwd": os.path.realpath(os.getcwd()) == os.path.realpath(self.folder),
                "on path": self.folder in sys.path,
                "file": os.path.dirname(os.path.abspath(__file__)) == os.path.abspath(self.folder),
                "helper": self.helper.VERSION,
                "late": late_helper.NAME,
                "settings": self.settings,
                "relative": relative,
            }
            for _ in data
        ]


HELPER = b"""
import json
import os

VERSION = "1.2"


def load(name):
    with open(os.path.join(os.path.dirname(__file__), name)) as file:
        return json.load(file)
"""

CASES = {
    "surroundings": {
        "files": {
            "helper_of_environment.py": HELPER,
            "late_helper.py": b'NAME = "late"\n',
            "settings.json": {"a": [1]},
        },
        "batches": [[{"data": b"1"}], [{"data": b"2"}, {"body": b"3"}]],
    }
}
