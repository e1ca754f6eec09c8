import sys

from export.doctor import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
