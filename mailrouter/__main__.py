"""`python -m mailrouter`."""

if __name__ == "__main__":
    from mailrouter.cli import main  # the reading children begin with this module too, under another name

    main()
