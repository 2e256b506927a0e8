<?php echo "php ", PHP_VERSION, " says ", 6 * 7;
