"""A folder of conditions databases that uploads go to and jobs read their reference from."""
