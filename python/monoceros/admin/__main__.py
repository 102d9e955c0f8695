import sys

from monoceros.admin.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
