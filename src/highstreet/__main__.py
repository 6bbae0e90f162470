from highstreet.cli import main

raise SystemExit(main())
