import sys

from monoceros.admin import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
