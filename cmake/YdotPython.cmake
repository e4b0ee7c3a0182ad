# The interpreter that draws the figures (YDOT_PYTHON): the first one that can import what the figure script imports.
# FindPython is not enough, it settles for the first python3 of PATH; where that is a version manager's or a virtual
# environment's it often lacks the distribution's h5py and matplotlib, and the system's one has them.
# Only a success is cached, so that installing the packages and configuring again is all it takes.
if(NOT YDOT_PYTHON)
    find_program(ydot_path_python python3 NO_CACHE)
    foreach(candidate IN ITEMS "${ydot_path_python}" /usr/bin/python3 /usr/local/bin/python3)
        if(NOT EXISTS "${candidate}")
            continue()
        endif()
        # sys.executable sees through wrapper scripts on PATH, whose choice may change from folder to folder.
        execute_process(
            COMMAND "${candidate}" -c "import matplotlib, h5py, numpy, sys; print(sys.executable)"
            OUTPUT_VARIABLE found RESULT_VARIABLE result OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
        if(result EQUAL 0)
            set(YDOT_PYTHON "${found}" CACHE FILEPATH "Python 3 with matplotlib, h5py and numpy")
            message(STATUS "Python for figures: ${YDOT_PYTHON}")
            break()
        endif()
    endforeach()
endif()
if(NOT YDOT_PYTHON)
    set(YDOT_PYTHON python3)  # not cached; simulations run without figures
    message(WARNING "No python3 can import matplotlib, h5py and numpy: figures will not be drawn. "
        "Install them, or set -DYDOT_PYTHON=<interpreter>.")
endif()
